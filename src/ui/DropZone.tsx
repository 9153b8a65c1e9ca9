import { useEffect, useState } from "react";
import styles from "./DropZone.module.css";
import { useApp } from "./useApp";

/** Takes an image dropped or pasted anywhere on the page. */
export function DropZone() {
  const app = useApp();
  const [isOver, setOver] = useState(false);

  useEffect(() => {
    const hasFiles = (event: DragEvent) => event.dataTransfer?.types.includes("Files") ?? false;
    const take = (files: FileList | undefined) => {
      const file = files?.[0];
      if (file) void app.chooseFile(file, file.name || "Pasted image");
      return file !== undefined;
    };
    const over = (event: DragEvent) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      setOver(true);
    };
    const leave = (event: DragEvent) => {
      // Only leaving the window has no related target; moving between elements has one.
      if (event.relatedTarget === null) setOver(false);
    };
    const drop = (event: DragEvent) => {
      if (!hasFiles(event)) return;
      event.preventDefault();
      setOver(false);
      take(event.dataTransfer?.files);
    };
    const paste = (event: ClipboardEvent) => {
      if (take(event.clipboardData?.files)) event.preventDefault();
    };
    addEventListener("dragover", over);
    addEventListener("dragleave", leave);
    addEventListener("drop", drop);
    addEventListener("paste", paste);
    return () => {
      removeEventListener("dragover", over);
      removeEventListener("dragleave", leave);
      removeEventListener("drop", drop);
      removeEventListener("paste", paste);
    };
  }, [app]);

  return isOver ? <div className={styles.over}>Drop the image to ask about it</div> : null;
}
