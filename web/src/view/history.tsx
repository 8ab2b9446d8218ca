// What has ended, newest first.

import { useEffect } from "preact/hooks";
import { useSignal } from "@preact/signals";
import { get } from "../wire/api.ts";
import { explain } from "../wire/problem.ts";
import { go, route } from "../state/router.ts";
import { summaryOf, type State, type Summary } from "../wire/types.ts";
import { Moment, Notice, PageHeading, RiskTag, StateTag, reasonText } from "./basics.tsx";
import { Safe } from "./safe.tsx";

const STATES: readonly State[] = ["approved", "denied", "expired", "cancelled"];
const PAGE = 50;

export function History() {
  const state = route.value.query.get("state") ?? "";
  const rows = useSignal<readonly Summary[]>([]);
  const next = useSignal("");
  const isBusy = useSignal(true);
  const problem = useSignal("");
  const load = async (after: string) => {
    isBusy.value = true;
    problem.value = "";
    try {
      const parts = [`limit=${PAGE}`, state && `state=${encodeURIComponent(state)}`, after && `after=${encodeURIComponent(after)}`];
      const page = await get<{ requests: unknown[]; next?: string }>(`/v1/requests?${parts.filter(Boolean).join("&")}`);
      const found = page.requests.map(summaryOf).filter((row) => row.state !== "pending");
      rows.value = after === "" ? found : [...rows.peek(), ...found];
      next.value = page.next ?? "";
    } catch (error) {
      problem.value = explain(error);
    }
    isBusy.value = false;
  };
  useEffect(() => {
    rows.value = [];
    void load("");
  }, [state]);
  return (
    <div class="page">
      <div class="page-top">
        <PageHeading>History</PageHeading>
        <label class="inline">
          Show{" "}
          <select value={state} onChange={(event) => go(event.currentTarget.value ? `/history?state=${event.currentTarget.value}` : "/history", "replace")}>
            <option value="">everything that ended</option>
            {STATES.map((one) => (
              <option key={one} value={one}>{one}</option>
            ))}
          </select>
        </label>
      </div>
      {problem.value !== "" && <Notice kind="stop" title="The history could not be read.">{problem.value}</Notice>}
      {rows.value.length > 0 && (
        <div class="table-wrap">
          <table>
            <thead>
              <tr>
                <th scope="col">Ended</th>
                <th scope="col">Action</th>
                <th scope="col">Agent</th>
                <th scope="col">Resource</th>
                <th scope="col">Risk</th>
                <th scope="col">Outcome</th>
              </tr>
            </thead>
            <tbody>
              {rows.value.map((row) => (
                <tr key={row.id}>
                  <td><Moment at={row.endedAt} /></td>
                  <td>
                    <a href={`/requests/${row.id}`}><Safe text={row.action} /></a>
                  </td>
                  <td><Safe text={row.agent} /></td>
                  <td><Safe text={row.resource} /></td>
                  <td><RiskTag risk={row.risk} /></td>
                  <td>
                    <StateTag state={row.state} /> <span class="quiet">{reasonText(row.reason ?? "")}</span>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {rows.value.length === 0 && !isBusy.value && problem.value === "" && (
        <p class="empty">Nothing has ended {state === "" ? "yet" : "that way"}. The ledger keeps everything; you see what you were part of.</p>
      )}
      {isBusy.value && <p class="empty">Reading…</p>}
      {next.value !== "" && !isBusy.value && (
        <button type="button" onClick={() => void load(next.peek())}>Older</button>
      )}
    </div>
  );
}
