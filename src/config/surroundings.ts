/** What the values of the file are read against. */
export interface Surroundings {
  readonly env: NodeJS.ProcessEnv;
  /** Absolute; the folder of the file. */
  readonly directory: string;
}
