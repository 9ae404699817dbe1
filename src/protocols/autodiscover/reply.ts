/** What a service answers, in any dialect; what it refuses is a BridgeError. */
export type Reply =
  | {
      readonly kind: 'found';
      /** As they stand there, the best first, each once; at least one. */
      readonly ewsUrls: readonly string[];
    }
  /** Ask again, for this one. */
  | { readonly kind: 'address'; readonly address: string }
  /** Ask again, there. */
  | { readonly kind: 'url'; readonly url: string };
