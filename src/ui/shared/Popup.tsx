import { type CSSProperties, type ReactNode, useId, useState } from "react";
import { texts } from "@/language/language";
import styles from "./Popup.module.css";

interface Props {
  /** What the button says. */
  readonly label: ReactNode;
  /** The button's accessible name, if its text is not enough. */
  readonly name?: string;
  readonly title: string;
  readonly className?: string | undefined;
  /** In pixels. */
  readonly width?: number;
  /** Rendered only while the popup is open. */
  readonly children: () => ReactNode;
}

/** A button and what it opens over the page, so that nothing below the button moves. */
export function Popup({ label, name, title, className, width, children }: Props) {
  const id = useId();
  const [isOpen, setOpen] = useState(false);
  const style = width === undefined ? {} : { "--popup-width": `${width}px` };
  return (
    <>
      <button type="button" className={className} aria-label={name} popoverTarget={id}>
        {label}
      </button>
      <div
        id={id}
        popover="auto"
        role="dialog"
        aria-label={title}
        className={styles.popup}
        style={style as CSSProperties}
        onToggle={({ newState }) => setOpen(newState === "open")}
      >
        {isOpen && (
          <>
            <div className={styles.head}>
              <h2>{title}</h2>
              <button
                type="button"
                className={styles.close}
                popoverTarget={id}
                popoverTargetAction="hide"
              >
                {texts.cache.done}
              </button>
            </div>
            {children()}
          </>
        )}
      </div>
    </>
  );
}
