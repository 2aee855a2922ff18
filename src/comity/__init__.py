"""Comity: the courtesy by which nations give effect to each other's laws.

FIUs, supervisors, law enforcement and VASPs of different countries acting as one against the
laundering of digital assets. Transfer → Finding → Duty → Decision → Act.
"""

from pkgutil import extend_path

__version__ = "0.1.0"
__all__ = ["__version__"]

# A directory `comity/lists` (chains, …) elsewhere on sys.path adds its plug-ins to ours.
__path__ = extend_path(__path__, __name__)
