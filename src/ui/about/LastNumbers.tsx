import type { PolicyInfo } from "@/store/settings/policyInfo";
import { settingsLabel } from "../shared/settingsWords";
import { useApp, useChat } from "../useApp";
import styles from "./About.module.css";
import { latestAnswer, layerMeasures } from "./latest";

/** What a policy did in the newest answer that it gave on this page, layer by layer. */
export function LastNumbers({ policy }: { readonly policy: PolicyInfo }) {
  const { policies } = useApp();
  const conversation = useChat((state) => state.conversation);
  const latest = latestAnswer(conversation, policy.id);
  if (!latest) {
    return (
      <p className={styles.small}>
        Ask with {policy.label} on the <a href="#chat">Chat</a> page to see here what it kept in
        each layer.
      </p>
    );
  }
  const { question, settings, result } = latest;
  const caption = `${settingsLabel(policies, settings)}, “${question}”`;
  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: a scrolling region
    <section className={styles.layers} tabIndex={0} aria-label={`Layers: ${caption}`}>
      <table className="num">
        <caption>{caption}</caption>
        <thead>
          <tr>
            <th scope="row">layer</th>
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
