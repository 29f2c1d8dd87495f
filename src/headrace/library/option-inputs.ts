/** What an option may be given as; a `Date` for a time, an object or `Map` for dotted keys (`field.id`). */
export type OptionInput =
  | string
  | number
  | bigint
  | boolean
  | Date
  | readonly string[]
  | ReadonlyMap<string, string>
  | { readonly [key: string]: string | number | boolean }
  | undefined

/** Options by name: snake_case as documented, or camelCase. */
export type OptionInputs = { readonly [name: string]: OptionInput }
