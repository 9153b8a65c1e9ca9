import { type FormEvent, useEffect, useRef } from "react";
import { texts } from "@/language/language";
import { largestBytes, SLOW_SECONDS } from "@/store/models/modelFit";
import type { ModelsFailure } from "@/store/models/models";
import { PUBLISHED } from "@/store/models/publishedModels";
import { CACHE_CHOICES, WEIGHT_CHOICES } from "@/store/settings/settings";
import { formatBytes, formatCount } from "@/text/format";
import { failureSentence } from "../shared/failureWords";
import { useApp, useChat, useModels, useSettings } from "../useApp";
import { FoundModelView } from "./FoundModelView";
import styles from "./Models.module.css";
import { PublishedList } from "./PublishedList";
import { StoredList } from "./StoredList";

/** A branch, not a word of the page. */
const DEFAULT_REVISION = "main";

/** Models to use instead of the embedded one: stored in this browser, from the Hub, from a folder. */
export default function ModelsDialog() {
  const { models } = useApp();
  const dialog = useRef<HTMLDialogElement>(null);
  const isAnswering = useChat((state) => state.running !== undefined);
  useEffect(() => dialog.current?.showModal(), []);
  return (
    <dialog
      ref={dialog}
      className={styles.dialog}
      aria-labelledby="models-title"
      onClose={models.close}
    >
      <div className={styles.head}>
        <h2 id="models-title">{texts.models.title}</h2>
        <button type="button" className={styles.link} onClick={() => dialog.current?.close()}>
          {texts.models.close}
        </button>
      </div>
      <p className={styles.hint}>{isAnswering ? texts.models.busy : texts.models.fresh}</p>
      <Place />
      <fieldset disabled={isAnswering} className={styles.parts}>
        <StoredList />
        <Types />
        <FromHub />
        <FromFolder />
      </fieldset>
    </dialog>
  );
}

/** Above which size a model is too slow here. */
function Place() {
  const { rate } = useModels((state) => state.place);
  const words = texts.models;
  if (!rate) return <p className={styles.hint}>{words.measuring}</p>;
  return (
    <p className={styles.hint}>
      {words.slowAbove(
        formatBytes(largestBytes(rate)),
        SLOW_SECONDS,
        formatBytes(rate.bytesPerSecond),
        `${formatCount(Math.round(rate.flopsPerSecond / 1e9))} GFLOP`,
      )}
    </p>
  );
}

/** How the weights and the cache of every model are held. Another choice loads the model again. */
function Types() {
  const { settings } = useApp();
  const weights = useSettings((state) => state.weights);
  const cacheType = useSettings((state) => state.cacheType);
  const words = texts.models;
  return (
    <>
      <Type
        id="weights"
        title={words.weights}
        hint={words.weightsHint}
        choices={WEIGHT_CHOICES}
        names={words.weightsOf}
        chosen={weights}
        choose={(choice) => settings.choose({ weights: choice })}
      />
      <Type
        id="cache-type"
        title={words.cacheType}
        hint={words.cacheTypeHint}
        choices={CACHE_CHOICES}
        names={words.cacheTypeOf}
        chosen={cacheType}
        choose={(choice) => settings.choose({ cacheType: choice })}
      />
    </>
  );
}

interface TypeProps<C extends string> {
  readonly id: string;
  readonly title: string;
  readonly hint: string;
  readonly choices: readonly C[];
  readonly names: Readonly<Record<C, string>>;
  readonly chosen: C;
  readonly choose: (choice: C) => void;
}

function Type<C extends string>(props: TypeProps<C>) {
  const { id, title, hint, choices, names, chosen, choose } = props;
  return (
    <section>
      <h3>
        <label htmlFor={id}>{title}</label>
      </h3>
      <select
        id={id}
        className={styles.weights}
        value={chosen}
        aria-describedby={`${id}-hint`}
        onChange={({ target }) => choose(target.value as C)}
      >
        {choices.map((choice) => (
          <option key={choice} value={choice}>
            {names[choice]}
          </option>
        ))}
      </select>
      <p id={`${id}-hint`} className={styles.hint}>
        {hint}
      </p>
    </section>
  );
}

function FromHub() {
  const { models } = useApp();
  const { phase, found, failure } = useModels((state) => state);
  const words = texts.models;
  const look = (event: FormEvent<HTMLFormElement>) => {
    event.preventDefault();
    const fields = new FormData(event.currentTarget);
    const field = (name: string) => String(fields.get(name) ?? "").trim();
    const address = { id: field("id"), revision: field("revision") || DEFAULT_REVISION };
    void models.find(address, field("token") || undefined);
  };
  return (
    <section aria-labelledby="models-hub">
      <h3 id="models-hub">{words.hub}</h3>
      <form className={styles.look} onSubmit={look}>
        <label className={styles.wide}>
          <span>{words.id}</span>
          <input
            name="id"
            className={styles.field}
            list="models-suggested"
            placeholder={words.idHint}
            autoComplete="off"
            spellCheck={false}
            required
          />
        </label>
        <datalist id="models-suggested" aria-label={words.suggested}>
          {PUBLISHED.map(({ id }) => (
            <option key={id} value={id} />
          ))}
        </datalist>
        <button type="submit" className={styles.primary} disabled={phase !== "idle"}>
          {words.look}
        </button>
        <details className={styles.more}>
          <summary>{words.more}</summary>
          <label>
            <span>{words.revision}</span>
            <input
              name="revision"
              className={styles.field}
              placeholder={DEFAULT_REVISION}
              autoComplete="off"
              spellCheck={false}
            />
          </label>
          <label>
            <span>{words.token}</span>
            <input
              name="token"
              className={styles.field}
              type="password"
              autoComplete="off"
              aria-describedby="token-hint"
            />
          </label>
          <p id="token-hint" className={styles.hint}>
            {words.tokenHint}
          </p>
        </details>
      </form>
      {phase === "looking" && (
        <p className={styles.hint} role="status">
          {words.looking}
        </p>
      )}
      {failure && (
        <p className={styles.refusal} role="alert">
          {sentenceOf(failure)}{" "}
          {failure.consentUrl && (
            <a href={failure.consentUrl} target="_blank" rel="noreferrer">
              {words.terms}
            </a>
          )}
        </p>
      )}
      {found ? (
        <FoundModelView found={found} />
      ) : (
        <>
          <p className={styles.hint}>{words.families}</p>
          <PublishedList />
        </>
      )}
    </section>
  );
}

function FromFolder() {
  const { models } = useApp();
  const input = useRef<HTMLInputElement>(null);
  // React has no property for it.
  useEffect(() => input.current?.setAttribute("webkitdirectory", ""), []);
  return (
    <section aria-labelledby="models-folder">
      <h3 id="models-folder">{texts.models.folder}</h3>
      <p className={styles.hint}>{texts.models.folderHint}</p>
      <input
        ref={input}
        type="file"
        className="unseen"
        tabIndex={-1}
        aria-label={texts.models.chooseFolder}
        onChange={({ target }) => {
          if (target.files?.length) void models.chooseFolder(...pickedFolder([...target.files]));
        }}
      />
      <button type="button" className={styles.quiet} onClick={() => input.current?.click()}>
        {texts.models.chooseFolder}
      </button>
    </section>
  );
}

/** A picker gives a folder's files with paths that begin with its name. */
function pickedFolder(files: readonly File[]): [name: string, files: ReadonlyMap<string, File>] {
  const [name = ""] = files[0]?.webkitRelativePath.split("/") ?? [];
  const pathOf = (file: File) => file.webkitRelativePath.slice(name.length + 1) || file.name;
  return [name || "folder", new Map(files.map((file) => [pathOf(file), file]))];
}

function sentenceOf({ id, refused, failure }: ModelsFailure): string {
  return refused ? texts.models.refused[refused](id, failure.message) : failureSentence(failure);
}
