// attend_span: how the rows of a head are divided into splits. The kernels of split attention share
// it, so the number of splits follows the rows in use and not the capacity.

override LEAST_SPAN: u32 = 64;
override MOST_SPAN: u32 = 128;

/// Slots of a split of `slots`, if `wanted` splits are to share them: a multiple of LEAST_SPAN.
fn span_of(slots: u32, wanted: u32) -> u32 {
  let even = (slots + wanted - 1u) / wanted;
  return clamp((even + LEAST_SPAN - 1u) / LEAST_SPAN * LEAST_SPAN, LEAST_SPAN, MOST_SPAN);
}
