// Keys, and the switch that turns them off.

import { useEffect, useRef } from "preact/hooks";
import { signal } from "@preact/signals";
import { keysEnabled, notifies } from "../state/settings.ts";

export const helpIsOpen = signal(false);

const KEYS: readonly (readonly [keys: readonly string[], what: string])[] = [
  [["j", "k"], "next, previous request"],
  [["."], "show new requests"],
  [["/"], "filter"],
  [["a", "Enter"], "approve (not for critical)"],
  [["d", "Enter"], "deny"],
  [["r"], "write a reason"],
  [["e"], "open all of the arguments"],
  [["Esc"], "leave a field; back to the list"],
  [["g", "i"], "inbox"],
  [["g", "h"], "history"],
  [["?"], "this help"],
];

export function Help() {
  const dialog = useRef<HTMLDialogElement>(null);
  const isOpen = helpIsOpen.value;
  useEffect(() => {
    if (isOpen) dialog.current?.showModal();
    else dialog.current?.close();
  }, [isOpen]);
  return (
    <dialog ref={dialog} aria-labelledby="help-heading" onClose={() => (helpIsOpen.value = false)}>
      <h2 id="help-heading">Keys</h2>
      <dl class="keys">
        {KEYS.map(([keys, what]) => (
          <div key={what}>
            <dt>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
      <p class="quiet">
        A decision key counts only when the request has been in view long enough for its risk, the page has had the focus for
        half a second, and you are not typing.
      </p>
      <label class="check">
        <input type="checkbox" checked={keysEnabled.value} onChange={(event) => (keysEnabled.value = event.currentTarget.checked)} /> Single-key shortcuts
      </label>
      <label class="check">
        <input type="checkbox" checked={notifies.value} onChange={(event) => void setNotifies(event.currentTarget.checked)} /> Tell me of new requests while this page is in the background
      </label>
      <form method="dialog">
        <button type="submit">Close</button>
      </form>
    </dialog>
  );
}

async function setNotifies(wanted: boolean): Promise<void> {
  if (!wanted || !("Notification" in window)) {
    notifies.value = false;
    return;
  }
  notifies.value = (await Notification.requestPermission()) === "granted";
}
