/** Content-Type of RFC 3863 §7.1. */
export const PIDF_TYPE = 'application/pidf+xml';

/** RFC 3863 §6.1. */
export const PIDF_NS = 'urn:ietf:params:xml:ns:pidf';
/** RFC 4479 §9.1: person, beside the tuples. */
export const DATA_MODEL_NS = 'urn:ietf:params:xml:ns:pidf:data-model';
/** RFC 4480 §6.1: what the person does. */
export const RPID_NS = 'urn:ietf:params:xml:ns:pidf:rpid';
/** RFC 4481 §6.1: what will be. */
export const TIMED_STATUS_NS = 'urn:ietf:params:xml:ns:pidf:timed-status';
