import type { PolicyInfo } from "@/store/settings/policyInfo";
import { settingsLabel } from "../shared/settingsWords";
import { useApp, useChat } from "../useApp";
import styles from "./About.module.css";
import { Journey } from "./Journey";
import { LastNumbers } from "./LastNumbers";
import { latestAnswer } from "./latest";
import { NUMBERS } from "./numbers";
import { SEEDS } from "./seeds";

/** What the page shows, how the policies choose, and what its numbers mean. */
export default function About() {
  const { policies } = useApp();
  return (
    <main className={styles.page}>
      <article className={styles.text}>
        <h2 className={styles.title}>What you see here</h2>
        <p>
          A vision-language model turns one image into hundreds of <b>visual tokens</b>. Each stores
          a key and a value in the cache of every layer, and every token of the answer reads all of
          them. The methods on this page keep a part of those rows and free the rest: the buffers
          become smaller, and attention runs over fewer rows. All data stays on this device.
        </p>

        <h2 className={styles.title}>How a prompt becomes rows</h2>
        <Journey />

        <h2 className={styles.title}>How three methods choose</h2>
        {SEEDS.map((seed) => {
          const policy = policies.find(({ id }) => id === seed.id);
          if (!policy) return null;
          return (
            <section key={seed.id} className={styles.seed} aria-label={policy.label}>
              <h3>
                {policy.label} <Paper paper={policy.paper} />
              </h3>
              <p>{seed.idea}</p>
              <ul className={`num ${styles.formula}`}>
                {seed.formula.map((line) => (
                  <li key={line}>{line}</li>
                ))}
              </ul>
              <dl className={styles.readings}>
                <dt>Release</dt>
                <dd>
                  {seed.release}{" "}
                  {policy.release && (
                    <a href={policy.release} target="_blank" rel="noreferrer">
                      Code
                    </a>
                  )}
                </dd>
                <dt>Here</dt>
                <dd>{seed.here}</dd>
              </dl>
              <LastNumbers policy={policy} />
            </section>
          );
        })}

        <h2 className={styles.title}>Every policy</h2>
        <dl className={styles.list}>
          {policies.map((policy) => (
            <div key={policy.id}>
              <dt>{policy.label}</dt>
              <dd>
                {policy.summary} <Paper paper={policy.paper} />
                <Options policy={policy} />
              </dd>
            </div>
          ))}
        </dl>

        <h2 className={styles.title}>What the numbers mean</h2>
        <Numbers />
      </article>
    </main>
  );
}

/** Each number's definition, with its value in the newest answer on this page. */
function Numbers() {
  const { policies } = useApp();
  const conversation = useChat((state) => state.conversation);
  const latest = latestAnswer(conversation);
  return (
    <>
      {latest && (
        <p className={styles.small}>
          The value beside each is from your last answer, with{" "}
          {settingsLabel(policies, latest.settings)}.
        </p>
      )}
      <dl className={styles.list}>
        {NUMBERS.map(({ name, meaning, of }) => (
          <div key={name}>
            <dt>
              {name}
              {latest && <b className={`num ${styles.value}`}>{of(latest.result)}</b>}
            </dt>
            <dd>{meaning}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}

/** A policy's own options, as in its form. */
function Options({ policy }: { readonly policy: PolicyInfo }) {
  const { policies } = useApp();
  const own = Object.entries(policy.options).filter(
    ([name]) => !policies.every(({ options }) => name in options),
  );
  if (own.length === 0) return null;
  return (
    <details className={styles.options}>
      <summary>Options</summary>
      <ul>
        {own.map(([name, { label, help }]) => (
          <li key={name}>
            <b>{label}</b> {help}
          </li>
        ))}
      </ul>
    </details>
  );
}

function Paper({
  paper,
}: {
  readonly paper:
    | { readonly title: string; readonly venue: string; readonly url: string }
    | undefined;
}) {
  if (!paper) return null;
  return (
    <a href={paper.url} target="_blank" rel="noreferrer" title={paper.title}>
      {paper.venue}
    </a>
  );
}
