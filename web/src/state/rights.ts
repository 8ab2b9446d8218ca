// Why a person cannot press a button: the reason stands where the button would be. Pure.

import type { Person } from "../wire/types.ts";
import type { Detail } from "./detail.ts";

export interface Rights {
  readonly approve: boolean;
  readonly deny: boolean;
  /** Why not; empty when one may. */
  readonly whyNotApprove: string;
  readonly whyNotDeny: string;
}

export function ownVote(detail: Detail, me: Person | undefined): "approve" | "deny" | undefined {
  const own = detail.votes.filter((vote) => vote.person === me?.name && !vote.late && vote.revision === detail.revision);
  return own[own.length - 1]?.vote;
}

export function rightsOf(detail: Detail, me: Person | undefined): Rights {
  if (detail.state !== "pending") {
    return { approve: false, deny: false, whyNotApprove: "This has ended.", whyNotDeny: "This has ended." };
  }
  const own = ownVote(detail, me);
  const whyNotApprove = whyNot(detail, me, own);
  const whyNotDeny = detail.match === "differs" ? whyNotApprove : !detail.mayDeny ? notAsked(detail) : own === "deny" ? "You have denied it." : "";
  return { approve: whyNotApprove === "", deny: whyNotDeny === "", whyNotApprove, whyNotDeny };
}

function whyNot(detail: Detail, me: Person | undefined, own: "approve" | "deny" | undefined): string {
  if (detail.match === "differs") return "What is shown is not what would run: the digest computed here differs from the gateway's.";
  if (detail.evidence.problem !== "") return `${detail.evidence.problem} What cannot be shown whole cannot be approved here; it can be denied.`;
  if (detail.match === "unchecked") return "This browser cannot compute the digest here, so nothing can be approved.";
  if (own === "approve") return "You have approved it.";
  if (detail.frozen) return "Frozen: nothing can be approved before it is thawed.";
  return detail.mayApprove || detail.needsPasskey ? "" : whyTheGatewayRefuses(detail, me);
}

function whyTheGatewayRefuses(detail: Detail, me: Person | undefined): string {
  const isAsked = detail.asked.some((group) => me?.groups.includes(group));
  if (isAsked && detail.edits.at(-1)?.person === me?.name) {
    return "You made this revision: at this risk somebody else has to approve it.";
  }
  if (detail.mayDeny) {
    return "You are its subject, its agent's owner or who submitted it: you may deny it, not approve it.";
  }
  return notAsked(detail);
}

function notAsked(detail: Detail): string {
  const groups = detail.asked.join(", ");
  return groups === "" ? "Nobody is asked any more." : `You are not among those asked (${groups}).`;
}
