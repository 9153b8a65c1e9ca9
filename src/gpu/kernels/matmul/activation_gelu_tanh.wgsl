// activation_gelu_tanh: GELU by its tanh approximation (https://arxiv.org/abs/1606.08415);
// `gelu_pytorch_tanh` in configurations.

fn activate(x: f32) -> f32 {
  // tanh of a large argument is a quotient of infinities on some adapters.
  let inner = clamp(0.7978845608 * (x + 0.044715 * x * x * x), -15.0, 15.0);
  return 0.5 * x * (1.0 + tanh(inner));
}
