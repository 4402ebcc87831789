"""Tracking plans, which say which events there are and what each must have."""

from .file import read_plan, write_plan
from .infer import infer_plan
from .model import Plan, Violation

__all__ = ["Plan", "Violation", "infer_plan", "read_plan", "write_plan"]
