export { Account } from "./account.tsx";
export { Agents } from "./agents.tsx";
export { Channels } from "./channels.tsx";
export { Freezes } from "./freezes.tsx";
export { Insights } from "./insights.tsx";
export { Ledger } from "./ledger.tsx";
export { Password } from "./password.tsx";
export { People } from "./people.tsx";
