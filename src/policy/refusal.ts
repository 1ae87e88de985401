/** Why a text is not what its key wants, and what to write instead. */
export interface Refusal {
  readonly refused: string;
  readonly remedy: string;
}
