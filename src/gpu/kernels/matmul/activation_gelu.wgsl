// activation_gelu: x times the normal distribution function of x (https://arxiv.org/abs/1606.08415);
// `gelu` in configurations. The error function is Abramowitz and Stegun 7.1.26, to 1.5e-7.

fn activate(x: f32) -> f32 {
  let z = abs(x) * 0.7071067812;
  let t = 1.0 / (1.0 + 0.3275911 * z);
  let series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))));
  let erf = 1.0 - series * exp(-z * z);
  return 0.5 * x * (1.0 + sign(x) * erf);
}
