import type { ErrorCode } from 'yaml';

/** Our own words for the YAML library's errors: its texts quote the file, and what it quotes may be a secret. */
export const SYNTAX_MESSAGE: Readonly<Record<ErrorCode, string>> = {
  ALIAS_PROPS: 'an alias (*) cannot have a tag or an anchor',
  BAD_ALIAS: 'this alias (*) has no name; a value that begins with * belongs in quotes',
  BAD_COLLECTION_TYPE: 'tags (!) are not supported; a value that begins with ! belongs in quotes',
  BAD_DIRECTIVE: 'directives (%) are not supported; a value that begins with % belongs in quotes',
  BAD_DQ_ESCAPE: 'a backslash in double quotes begins an escape that YAML does not have; use single quotes, or no quotes',
  BAD_INDENT: 'the indentation does not fit what stands before, or a bracket is not closed',
  BAD_PROP_ORDER: 'an anchor or a tag stands in the wrong place',
  BAD_SCALAR_START: 'a value cannot begin with this character; put it in quotes',
  BLOCK_AS_IMPLICIT_KEY: 'a second "key: value" on the same line; put the value in quotes, or the keys on lines of their own',
  BLOCK_IN_FLOW: 'a block cannot stand inside brackets',
  DUPLICATE_KEY: 'this key stands twice',
  IMPOSSIBLE: 'this is no YAML',
  KEY_OVER_1024_CHARS: 'a key is longer than 1,024 characters',
  MISSING_CHAR: 'a character is missing: a closing quote or bracket, a comma, a colon or the blank after it',
  MULTILINE_IMPLICIT_KEY: 'a key cannot go over several lines; perhaps a colon is missing',
  MULTIPLE_ANCHORS: 'a value can have one anchor only',
  MULTIPLE_DOCS: 'the file holds several documents (---); it should be one',
  MULTIPLE_TAGS: 'a value can have one tag only',
  NON_STRING_KEY: 'a key should be a text',
  RESOURCE_EXHAUSTION: 'it is nested too deep',
  TAB_AS_INDENT: 'a tab cannot indent; use blanks',
  TAG_RESOLVE_FAILED: 'tags (!) are not supported; a value that begins with ! belongs in quotes',
  UNEXPECTED_TOKEN: 'this does not belong here',
};
