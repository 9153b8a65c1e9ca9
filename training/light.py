"""The same images in other light, on the device: brightness, cast, haze, noise."""

import torch

VARIED_SHARE = 0.67


def vary_light(pixels: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    """[B, 3, H, W] uint8 → float in [-1, 1]; VARIED_SHARE of the images in other light."""

    def draw(low: float, high: float, *shape: int) -> torch.Tensor:
        drawn = torch.rand(shape or one_each, device=pixels.device, generator=generator)
        return low + (high - low) * drawn

    images, height, width = len(pixels), *pixels.shape[2:]
    one_each = (images, 1, 1, 1)
    on = (draw(0, 1) < VARIED_SHARE).float()
    gain = 1 + on * draw(-0.25, 0.1)
    cast = 1 + on * draw(-0.06, 0.06, images, 3, 1, 1)
    x = (pixels.float() / 127.5) * gain * cast - 1 + on * draw(-0.1, 0.05)
    noise = torch.randn((images, 1, height, width), device=x.device, generator=generator)
    return (x + on * draw(0, 0.05) * noise).clamp(-1, 1)
