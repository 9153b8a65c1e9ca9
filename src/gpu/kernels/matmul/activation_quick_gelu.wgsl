// activation_quick_gelu: x * sigmoid(1.702 x), CLIP's GELU; `quick_gelu` in configurations.

fn activate(x: f32) -> f32 {
  return x / (1.0 + exp(-1.702 * x));
}
