// The live connection: hello, resume by sequence number, reset, one batch per frame, backoff.

import { SUBPROTOCOL, backoffMs, meaningOfClose, readMessage, type LiveMessage } from "./live_rules.ts";

const SOCKET_OPEN = 1; // WebSocket.OPEN

export type Connection = "connecting" | "catching-up" | "live" | "offline" | "stopped";

export interface LiveOptions {
  readonly csrf: () => string;
  /** All messages since the last frame, in order. */
  readonly onBatch: (messages: readonly LiveMessage[]) => void;
  readonly onState: (state: Connection) => void;
  /** The gateway closed with 4401. */
  readonly onSessionEnd: () => void;
  /** The gateway closed with 4403: our token is not its token. */
  readonly onRefused: () => void;
}

export class Live {
  private socket: WebSocket | undefined;
  private epoch = "";
  private since = -1;
  private tries = 0;
  private timer = 0;
  private stopped = true;
  private batch: LiveMessage[] = [];
  private isScheduled = false;
  private viewed: string | null = null;

  constructor(private readonly options: LiveOptions) {}

  start(): void {
    if (!this.stopped) return;
    this.stopped = false;
    this.open();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
    this.socket?.close(1000);
    this.socket = undefined;
    this.options.onState("stopped");
  }

  /** Tries at once: the network came back, or someone asked. */
  hurry(): void {
    if (this.stopped || this.socket !== undefined) return;
    clearTimeout(this.timer);
    this.open();
  }

  /** The gateway does not answer although the socket seems open: browsers do not show pings. */
  drop(): void {
    if (this.stopped || this.socket === undefined) return;
    const socket = this.socket;
    this.closed(0);
    socket.close();
  }

  /** Tells who else is looking at the same request. */
  view(request: string | null): void {
    this.viewed = request;
    if (this.socket?.readyState === SOCKET_OPEN) this.socket.send(JSON.stringify({ viewing: request }));
  }

  private open(): void {
    this.options.onState("connecting");
    const scheme = location.protocol === "https:" ? "wss:" : "ws:";
    const socket = new WebSocket(`${scheme}//${location.host}/v1/live`, SUBPROTOCOL);
    this.socket = socket;
    socket.onopen = () => {
      this.options.onState("catching-up");
      const hello: Record<string, unknown> = { csrf: this.options.csrf() };
      if (this.since >= 0) Object.assign(hello, { epoch: this.epoch, since: this.since });
      socket.send(JSON.stringify({ hello }));
    };
    socket.onmessage = (event) => {
      if (this.socket === socket && typeof event.data === "string") this.take(event.data);
    };
    socket.onclose = (event) => {
      if (this.socket === socket) this.closed(event.code);
    };
  }

  private take(text: string): void {
    const message = readMessage(text);
    if (message === undefined) return;
    if (message.k === "ready" || message.k === "reset") {
      this.tries = 0;
      this.epoch = message.epoch;
      if (this.viewed !== null) this.view(this.viewed);
    }
    if (message.k !== "presence" && message.seq > this.since) this.since = message.seq;
    if (message.k === "reset") this.since = message.seq;
    this.batch.push(message);
    if (this.isScheduled) return;
    this.isScheduled = true;
    if (document.hidden) setTimeout(() => this.flush(), 100);
    else requestAnimationFrame(() => this.flush());
  }

  private flush(): void {
    this.isScheduled = false;
    const messages = this.batch;
    this.batch = [];
    this.options.onBatch(messages);
  }

  private closed(code: number): void {
    this.socket = undefined;
    if (this.stopped) return;
    const meaning = meaningOfClose(code);
    if (meaning === "session-ended") {
      this.stop();
      this.options.onSessionEnd();
      return;
    }
    this.options.onState("offline");
    if (meaning === "refused") {
      this.options.onRefused(); // with the same token it would be refused again
      return;
    }
    this.timer = window.setTimeout(() => this.open(), backoffMs(this.tries++, Math.random()));
  }
}
