import { lazy, Suspense } from "react";
import { useStore } from "zustand/react";
import { adding } from "./adding";

const Camera = lazy(() => import("./Camera"));
const AddressDialog = lazy(() => import("./AddressDialog"));

/** The dialog that was asked for, and its code with it. */
export function AddingDialogs() {
  const dialog = useStore(adding, (state) => state.dialog);
  if (!dialog) return null;
  const close = () => adding.setState({ dialog: undefined });
  return (
    <Suspense>
      {dialog.kind === "camera" ? (
        <Camera target={dialog.target} onClose={close} />
      ) : (
        <AddressDialog target={dialog.target} onClose={close} />
      )}
    </Suspense>
  );
}
