/** Bounds of reading the configuration. → LIMITS */
export const CONFIG_LIMITS = {
  /** A thousand systems with a hundred domains each fit. */
  fileBytes: 1024 * 1024,
  /** The contract nests 5 deep. */
  yamlDepth: 32,
  /** Nodes after aliases are expanded: an alias bomb ends here. */
  yamlNodes: 100_000,
  /** Mistakes in the YAML itself cascade; more than this says nothing new. */
  yamlMistakes: 20,
  /** A chain or a bundle of authorities; Debian's has 220 KB. */
  pemBytes: 1024 * 1024,
  /** Credentials travel in headers. */
  secretCharacters: 4096,
  urlCharacters: 2048,
  deadlineMs: { min: 100, max: 60_000 },
} as const;
