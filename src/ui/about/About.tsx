import type { ReactNode } from "react";
import { texts } from "@/language/language";
import type { PolicyInfo } from "@/store/settings/policyInfo";
import { Sentence } from "../shared/Sentence";
import { settingsLabel } from "../shared/settingsWords";
import { useApp, useChat } from "../useApp";
import styles from "./About.module.css";
import { Accuracy } from "./Accuracy";
import { Journey } from "./Journey";
import { LastNumbers } from "./LastNumbers";
import { latestAnswer } from "./latest";
import { NUMBERS } from "./numbers";

/** The three main methods, by policy id. */
const SEEDS = ["aircache", "prefixkv", "elastic"] as const;

/** What the page shows, how the policies choose, and what its numbers mean. */
export default function About() {
  const { policies } = useApp();
  const words = texts.about;
  return (
    <main className={styles.page}>
      <article className={styles.text}>
        <h2 className={styles.title}>{words.what}</h2>
        <p>
          <Sentence parts={words.whatText<ReactNode>((text) => <b>{text}</b>)} />
        </p>

        <h2 className={styles.title}>{words.journey}</h2>
        <Journey />

        <h2 className={styles.title}>{words.methods}</h2>
        {SEEDS.map((id) => {
          const policy = policies.find((each) => each.id === id);
          const seed = words.seeds[id];
          if (!policy) return null;
          return (
            <section key={id} className={styles.seed} aria-label={texts.policy(policy.label)}>
              <h3>
                {texts.policy(policy.label)} <Paper paper={policy.paper} />
              </h3>
              <p>{seed.idea}</p>
              <ul className={`num ${styles.formula}`}>
                {seed.formula.map((line) => (
                  <li key={line}>{line}</li>
                ))}
              </ul>
              <dl className={styles.readings}>
                <dt>{words.release}</dt>
                <dd>
                  {seed.release}{" "}
                  {policy.release && (
                    <a href={policy.release} target="_blank" rel="noreferrer">
                      {words.code}
                    </a>
                  )}
                </dd>
                <dt>{words.here}</dt>
                <dd>{seed.here}</dd>
              </dl>
              <LastNumbers policy={policy} />
            </section>
          );
        })}

        <h2 className={styles.title}>{words.accuracy.title}</h2>
        <Accuracy />

        <h2 className={styles.title}>{words.every}</h2>
        <dl className={styles.list}>
          {policies.map((policy) => (
            <div key={policy.id}>
              <dt>{texts.policy(policy.label)}</dt>
              <dd>
                {texts.policy(policy.summary)} <Paper paper={policy.paper} />
                <Options policy={policy} />
              </dd>
            </div>
          ))}
        </dl>

        <h2 className={styles.title}>{words.numbers}</h2>
        <Numbers />

        <p className={styles.small}>
          <a href="licences.txt" target="_blank" rel="noreferrer">
            {words.licences}
          </a>
        </p>
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
          {texts.about.latest(settingsLabel(policies, latest.settings))}
        </p>
      )}
      <dl className={styles.list}>
        {NUMBERS.map(({ id, of }) => (
          <div key={id}>
            <dt>
              {texts.about.meanings[id].name}
              {latest && <b className={`num ${styles.value}`}>{of(latest.result)}</b>}
            </dt>
            <dd>{texts.about.meanings[id].meaning}</dd>
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
      <summary>{texts.about.options}</summary>
      <ul>
        {own.map(([name, { label, help }]) => (
          <li key={name}>
            <b>{texts.policy(label)}</b> {texts.policy(help)}
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
