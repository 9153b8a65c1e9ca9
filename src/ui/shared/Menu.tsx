import { type ReactNode, useId, useRef } from "react";
import styles from "./Menu.module.css";

interface Props {
  readonly label: ReactNode;
  readonly className?: string | undefined;
  readonly items: readonly {
    readonly key: string;
    readonly label: ReactNode;
    readonly help?: string;
    readonly onPick: () => void;
  }[];
}

const MARGIN = 8;

/** A button that opens a list of actions in the top layer, below or above it. */
export function Menu({ label, className, items }: Props) {
  const id = useId();
  const button = useRef<HTMLButtonElement>(null);
  const list = useRef<HTMLDivElement>(null);

  function place() {
    if (!button.current || !list.current) return;
    const anchor = button.current.getBoundingClientRect();
    const { offsetWidth: width, offsetHeight: height } = list.current;
    const below = anchor.bottom + 4;
    const top = below + height + MARGIN > innerHeight ? anchor.top - height - 4 : below;
    const left = Math.min(anchor.left, innerWidth - width - MARGIN);
    list.current.style.top = `${Math.max(MARGIN, top)}px`;
    list.current.style.left = `${Math.max(MARGIN, left)}px`;
  }

  function pick(onPick: () => void) {
    list.current?.hidePopover();
    button.current?.focus();
    onPick();
  }

  return (
    <>
      <button
        ref={button}
        id={`${id}-button`}
        type="button"
        aria-haspopup="menu"
        className={className}
        popoverTarget={id}
      >
        {label}
      </button>
      <div
        ref={list}
        id={id}
        popover="auto"
        role="menu"
        aria-labelledby={`${id}-button`}
        className={styles.list}
        onToggle={(event) => {
          if (event.newState === "open") place();
          // Hidden until it is positioned, because the event fires after the list is shown.
          event.currentTarget.dataset.placed = String(event.newState === "open");
        }}
        onKeyDown={(event) => {
          // On to what follows the button, which has the focus again.
          if (event.key === "Tab") list.current?.hidePopover();
          if (moveFocus(event.key, list.current)) event.preventDefault();
        }}
      >
        {items.map(({ key, label: text, help, onPick }, index) => (
          <button
            key={key}
            // React's autoFocus focuses on mounting; the attribute does when the popover opens.
            ref={index === 0 ? (item) => item?.setAttribute("autofocus", "") : undefined}
            type="button"
            role="menuitem"
            title={help}
            className={styles.item}
            onClick={() => pick(onPick)}
          >
            {text}
          </button>
        ))}
      </div>
    </>
  );
}

function moveFocus(key: string, list: HTMLElement | null): boolean {
  const buttons = [...(list?.querySelectorAll("button") ?? [])];
  const at = buttons.indexOf(document.activeElement as HTMLButtonElement);
  const next = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: -1 }[key];
  if (next === undefined) return false;
  buttons.at(next % buttons.length)?.focus();
  return true;
}
