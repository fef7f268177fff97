"""Designs for images: fitted to the rows at hand, trained as usual, and what they cost."""

from __future__ import annotations

from dataclasses import replace

from composable.data.kinds.image import IMAGES
from composable.design import Architecture, Part
from composable.design.building import outline
from composable.design.cost import Cost, cost
from composable.design.inputs import Input
from composable.design.prestems import select_input, standardize
from composable.engine.settings import Settings
from composable.modality.designed import changed_parts
from composable.modality.facts import DataFacts, Signal
from composable.training import recipes


def images_of(facts: DataFacts) -> Signal:
    """What is known of the images."""
    return facts.signals[IMAGES]


def fit_design(design: Architecture, facts: DataFacts) -> Architecture:
    """The design with the tasks of these rows; where it standardizes, by the colors of these images."""
    images = images_of(facts)

    def standardized(part: Part) -> Part:
        if part.component is not standardize:
            return part
        return part.replace(mean=images.mean, deviation=images.deviation)

    prestem = (Part(select_input), changed_parts(design.prestem, standardized))
    return replace(design, prestem=prestem).with_tasks(*facts.tasks)


def usual_settings(facts: DataFacts) -> Settings:
    """How any network of images is trained."""
    return mixing(facts, recipes.images(facts.problem, rows=facts.rows, augment=facts.augmentation.parts))


def mixing(facts: DataFacts, settings: Settings) -> Settings:
    """The settings with rows mixed as the augmentation says."""
    return replace(settings, mixup=facts.augmentation.mixup, cutmix=facts.augmentation.cutmix)


def cost_of(design: Architecture, facts: DataFacts) -> Cost:
    """What a network of these images costs."""
    return cost(outline(design, {IMAGES: Input(images_of(facts).shape, "uint8")})[0])
