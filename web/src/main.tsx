import { render } from "preact";
import { effect } from "@preact/signals";
import { startAttention } from "./state/attention.ts";
import { startClock } from "./state/clock.ts";
import { startInbox } from "./state/inbox.ts";
import { startOpen } from "./state/open.ts";
import { startRouter } from "./state/router.ts";
import { findSession, startSession, standing, takeFragment } from "./state/session.ts";
import { startSettings } from "./state/settings.ts";
import { startStepUp } from "./state/stepup.ts";
import { App, startProblem } from "./view/app.tsx";
import { startKeys } from "./view/keys.ts";
import { explain } from "./wire/problem.ts";

takeFragment();
startSettings();
startClock();
startRouter();
startSession();
startStepUp();
startKeys();
startAttention();
render(<App />, document.getElementById("app")!);
void begin(0);

async function begin(tries: number): Promise<void> {
  try {
    await findSession();
    startProblem.value = "";
  } catch (error) {
    startProblem.value = `${explain(error)} This page tries again by itself.`;
    setTimeout(() => void begin(tries + 1), Math.min(10_000, 500 * 2 ** tries));
  }
}

startOpen();
effect(() => {
  if (standing.value === "signed-in") startInbox();
});
