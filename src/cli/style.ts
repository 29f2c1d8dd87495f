/** How a piece of text is shown on a terminal. */
export type Style = 'error' | 'warning' | 'quiet' | 'strong'
