// The browser's passkeys, in the gateway's JSON: base64url without padding.

import type { PasskeyQuestion } from "./types.ts";

/** Whether this page can use passkeys at all: on an IP address, or without https, browsers refuse. */
export const hasPasskeys = typeof PublicKeyCredential !== "undefined" && globalThis.isSecureContext === true;

export function toBase64url(bytes: ArrayBuffer): string {
  let text = "";
  for (const byte of new Uint8Array(bytes)) text += String.fromCharCode(byte);
  return btoa(text).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
}

export function fromBase64url(text: string): Uint8Array<ArrayBuffer> {
  const plain = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  return Uint8Array.from(plain, (letter) => letter.charCodeAt(0));
}

interface Descriptor {
  readonly id: string;
  readonly type: "public-key";
  readonly transports?: AuthenticatorTransport[];
}

const keysOf = (list: unknown): PublicKeyCredentialDescriptor[] =>
  (Array.isArray(list) ? (list as Descriptor[]) : []).map((one) => ({ ...one, id: fromBase64url(one.id) }));

/** The parts of an answer that the gateway verifies. */
export interface PasskeyProof {
  readonly authenticator_data: string;
  readonly client_data: string;
  readonly credential: string;
  readonly signature: string;
}

/** Asks a passkey. Throws an Error with a sentence for a person when it does not answer. */
export async function askPasskey(question: PasskeyQuestion): Promise<PasskeyProof> {
  const { challenge, allowCredentials, ...rest } = question.public_key;
  const options = { ...rest, challenge: fromBase64url(challenge as string), allowCredentials: keysOf(allowCredentials) };
  const answer = await refusing(() => navigator.credentials.get({ publicKey: options as PublicKeyCredentialRequestOptions }));
  const response = answer.response as AuthenticatorAssertionResponse;
  return {
    authenticator_data: toBase64url(response.authenticatorData),
    client_data: toBase64url(response.clientDataJSON),
    credential: toBase64url(answer.rawId),
    signature: toBase64url(response.signature),
  };
}

/** Has a new passkey made. */
export async function makePasskey(question: PasskeyQuestion): Promise<{ attestation_object: string; client_data: string }> {
  const { challenge, excludeCredentials, user, ...rest } = question.public_key;
  const owner = user as { id: string };
  const options = {
    ...rest,
    challenge: fromBase64url(challenge as string),
    excludeCredentials: keysOf(excludeCredentials),
    user: { ...owner, id: fromBase64url(owner.id) },
  };
  const made = await refusing(() => navigator.credentials.create({ publicKey: options as unknown as PublicKeyCredentialCreationOptions }));
  const response = made.response as AuthenticatorAttestationResponse;
  return { attestation_object: toBase64url(response.attestationObject), client_data: toBase64url(response.clientDataJSON) };
}

async function refusing(ask: () => Promise<Credential | null>): Promise<PublicKeyCredential> {
  if (!hasPasskeys) {
    throw new Error("Passkeys do not work here: open the dashboard by its host name, over https or as localhost.");
  }
  let answer: Credential | null;
  try {
    answer = await ask();
  } catch (error) {
    throw new Error(sentenceOf(error));
  }
  if (answer === null) throw new Error("The passkey gave no answer. Try again.");
  return answer as PublicKeyCredential;
}

function sentenceOf(error: unknown): string {
  const name = error instanceof DOMException ? error.name : "";
  switch (name) {
    case "NotAllowedError":
      return "The passkey was not used: it was cancelled, took too long, or none of yours is here. Try again.";
    case "InvalidStateError":
      return "This device has a passkey for you already.";
    case "SecurityError":
      return "Passkeys do not work at this address: open the dashboard by the host name it is configured for.";
    default:
      return `The passkey could not be used (${name || String(error)}).`;
  }
}
