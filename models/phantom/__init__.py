"""The digital chest phantom: a synthetic PA radiograph whose bone is known exactly.

It stands in for a patient in the demo, the tests and every model's golden image. `render` is all that others need.
"""

from models.phantom.nodules import Nodule
from models.phantom.render import Phantom, render

__all__ = ["Nodule", "Phantom", "render"]
