import { type ReactNode, useId } from "react";
import { texts } from "@/language/language";
import type { Target } from "@/store/images/viewerState";
import { Menu } from "../shared/Menu";
import { useApp } from "../useApp";
import { chooseFiles, hasCamera, openDialog } from "./adding";

interface Props {
  readonly label: ReactNode;
  readonly className?: string | undefined;
  readonly target: Target;
  /** Id and name of the file input, where others open it, too. */
  readonly input?: { readonly id: string; readonly name: string };
}

/** Menu to add images: files, the camera, an address. */
export function AddMenu({ label, className, target, input }: Props) {
  const { viewer } = useApp();
  const own = useId();
  const id = input?.id ?? own;
  const open = (kind: "camera" | "address") => openDialog({ kind, target });
  return (
    <>
      <Menu
        label={label}
        className={className}
        items={[
          {
            key: "file",
            label: texts.viewer.add.files,
            onPick: () => document.getElementById(id)?.click(),
          },
          ...(hasCamera()
            ? [{ key: "camera", label: texts.viewer.add.camera, onPick: () => open("camera") }]
            : []),
          { key: "address", label: texts.viewer.add.address, onPick: () => open("address") },
        ]}
      />
      <input
        id={id}
        type="file"
        accept="image/*,video/*"
        multiple
        className="unseen"
        tabIndex={-1}
        aria-label={input?.name ?? texts.viewer.add.input}
        onChange={({ currentTarget }) => {
          const given = Array.from(currentTarget.files ?? [], (file) => ({
            blob: file,
            title: file.name,
          }));
          currentTarget.value = "";
          chooseFiles(viewer, given, target);
        }}
      />
    </>
  );
}
