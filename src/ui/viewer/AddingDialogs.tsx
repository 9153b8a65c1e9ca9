import { lazy, Suspense } from "react";
import { useStore } from "zustand/react";
import { adding, closeDialog } from "./adding";

const Camera = lazy(() => import("./Camera"));
const VideoDialog = lazy(() => import("./VideoDialog"));
const AddressDialog = lazy(() => import("./AddressDialog"));

/** The requested dialog; its code is loaded on demand. */
export function AddingDialogs() {
  const { dialog, videos } = useStore(adding);
  if (!dialog) return null;
  return (
    <Suspense>
      {dialog.kind === "camera" ? (
        <Camera target={dialog.target} onClose={() => closeDialog()} />
      ) : dialog.kind === "video" ? (
        <VideoDialog
          key={videos.length}
          given={dialog.given}
          target={dialog.target}
          onClose={closeDialog}
        />
      ) : (
        <AddressDialog target={dialog.target} onClose={() => closeDialog()} />
      )}
    </Suspense>
  );
}
