// The door of the package: what `import { … } from 'headrace'` gives.
export type { ErrorClass, ErrorCode } from '../core/error-kinds.ts'
export { HeadraceError, HeadraceErrors } from '../core/errors.ts'
