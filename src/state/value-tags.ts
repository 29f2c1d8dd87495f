/** How a value in a state begins. Numbers are never given anew: states of earlier versions hold them. */
export const TAG = {
  null: 0,
  false: 1,
  true: 2,
  number: 3,
  bigint: 4,
  text: 5,
  bytes: 6,
  list: 7,
  map: 8,
  interval: 9,
  /** A bigint of 64 bits; `bigint` holds the others as text. */
  long: 10,
} as const
