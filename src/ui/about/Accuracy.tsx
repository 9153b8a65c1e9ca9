import { texts } from "@/language/language";
import { formatPercent, formatRetention } from "@/text/format";
import { useApp } from "../useApp";
import styles from "./About.module.css";
import { ACCURACY } from "./measured";

/** What was measured with the embedded model: the share of right answers by policy and retention. */
export function Accuracy() {
  const { policies } = useApp();
  const { questions, pages, full, retentions } = ACCURACY;
  const words = texts.about.accuracy;
  const share = (right: number) => formatPercent(right / questions);
  return (
    <>
      <p>{words.how(questions, pages, share(full))}</p>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region */}
      <section className={styles.layers} tabIndex={0} aria-label={words.title}>
        <table className="num">
          <thead>
            <tr>
              <th scope="col">{words.kept}</th>
              {retentions.map((retention) => (
                <th key={retention} scope="col">
                  {formatRetention(retention)}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {ACCURACY.policies.map(({ policy, right }) => (
              <tr key={policy}>
                <th scope="row">
                  {texts.policy(policies.find(({ id }) => id === policy)?.label ?? policy)}
                </th>
                {right.map((count, index) => (
                  <td key={retentions[index]}>{share(count)}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <p className={styles.small}>{words.reading}</p>
    </>
  );
}
