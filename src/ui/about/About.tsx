import { useApp } from "../useApp";
import styles from "./About.module.css";
import { Journey } from "./Journey";
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
          A vision-language model turns one image into hundreds of <b>visual tokens</b>. Each leaves
          a key and a value in the cache of every layer, and every token of the answer reads all of
          them. The methods on this page keep a part of those rows and free the rest: the buffers
          get smaller, and the attention really runs over fewer rows. Nothing leaves this device.
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
              <p className={styles.small}>{seed.release}</p>
            </section>
          );
        })}

        <h2 className={styles.title}>Every policy</h2>
        <dl className={styles.list}>
          {policies.map(({ id, label, summary, paper }) => (
            <div key={id}>
              <dt>{label}</dt>
              <dd>
                {summary} <Paper paper={paper} />
              </dd>
            </div>
          ))}
        </dl>

        <h2 className={styles.title}>What the numbers mean</h2>
        <dl className={styles.list}>
          {NUMBERS.map(({ name, meaning }) => (
            <div key={name}>
              <dt>{name}</dt>
              <dd>{meaning}</dd>
            </div>
          ))}
        </dl>
      </article>
    </main>
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
