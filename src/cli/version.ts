import { readFileSync } from 'node:fs';

/** As package.json has it; two levels up from src/cli and from dist/cli alike. */
export const VERSION: string = (JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { readonly version: string }).version;
