import type { ReactNode } from "react";
import { texts } from "@/language/language";
import type { PolicyInfo } from "@/store/settings/policyInfo";
import { Sentence } from "../shared/Sentence";
import { settingsLabel } from "../shared/settingsWords";
import { useApp, useChat } from "../useApp";
import styles from "./About.module.css";
import { latestAnswer, layerMeasures } from "./latest";

/** What a policy did in the newest answer that it gave on this page, layer by layer. */
export function LastNumbers({ policy }: { readonly policy: PolicyInfo }) {
  const { policies } = useApp();
  const conversation = useChat((state) => state.conversation);
  const latest = latestAnswer(conversation, policy.id);
  const words = texts.about;
  if (!latest) {
    return (
      <p className={styles.small}>
        <Sentence
          parts={words.askWith<ReactNode>(
            texts.policy(policy.label),
            <a href="#chat">{words.chat}</a>,
          )}
        />
      </p>
    );
  }
  const { question, settings, result } = latest;
  const caption = words.asked(settingsLabel(policies, settings), question);
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region
    <section className={styles.layers} tabIndex={0} aria-label={words.layersOf(caption)}>
      <table className="num">
        <caption>{caption}</caption>
        <thead>
          <tr>
            <th scope="row">{words.layer}</th>
            {result.layers.map((_, layer) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: layers have no other name
              <th key={layer} scope="col">
                {layer + 1}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {layerMeasures(result).map(({ name, values }) => (
            <tr key={name}>
              <th scope="row">{name}</th>
              {values.map((value, layer) => (
                // biome-ignore lint/suspicious/noArrayIndexKey: layers have no other name
                <td key={layer}>{value}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}
