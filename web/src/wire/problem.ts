// What the gateway says when it says no (RFC 9457).

export interface Problem {
  readonly status: number;
  readonly code: string;
  readonly title: string;
  readonly detail: string;
  readonly instance: string;
  /** Seconds to wait before trying again; 0 when it does not say. */
  readonly retryAfter: number;
  /** The member of the body that is wrong, "/password"; empty when it is not one member. */
  readonly pointer: string;
}

export class Refusal extends Error {
  constructor(readonly problem: Problem) {
    super(problem.detail);
  }
}

/** The gateway could not be reached, or its answer did not arrive: whether it acted is not known. */
export class Unreachable extends Error {
  constructor() {
    super("The gateway cannot be reached.");
  }
}

export function readProblem(status: number, body: string, retryAfter: string | null): Problem {
  let members: Record<string, unknown> = {};
  try {
    const parsed: unknown = JSON.parse(body);
    members = typeof parsed === "object" && parsed !== null ? (parsed as Record<string, unknown>) : {};
  } catch {
    // not ours: a proxy in between, perhaps
  }
  const text = (name: string, otherwise: string) =>
    typeof members[name] === "string" ? (members[name] as string) : otherwise;
  const errors = Array.isArray(members["errors"]) ? (members["errors"] as { pointer?: unknown }[]) : [];
  return {
    status,
    code: text("code", `http_${status}`),
    title: text("title", `The gateway answered ${status}`),
    detail: text("detail", "The answer carries no reason."),
    instance: text("instance", ""),
    retryAfter: Number(retryAfter) || 0,
    pointer: typeof errors[0]?.pointer === "string" ? errors[0].pointer : "",
  };
}

/** One sentence for a person. */
export function explain(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
