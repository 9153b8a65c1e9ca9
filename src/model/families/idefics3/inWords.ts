const SMALL = [
  ...["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"],
  ...["eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen"],
  "nineteen",
];
const TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];

/** A number below 100 as English words, like Python's `num2words`; larger ones in digits. */
export function inWords(count: number): string {
  if (count < SMALL.length) return SMALL[count] as string;
  if (count >= 100) return String(count);
  const ten = TENS[Math.floor(count / 10) - 2] as string;
  return count % 10 === 0 ? ten : `${ten}-${SMALL[count % 10]}`;
}
