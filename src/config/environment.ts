/** The process's environment, for the command line to hand to `loadConfig`. Nothing else in the bridge reads it. */
export function processEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env };
}
