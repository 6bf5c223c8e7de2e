"""Where two models say different things: another moment, or another run; both explanations, and their difference."""

from dataclasses import replace

import streamlit as st

from core.data.gallery import SplitName
from core.jobs.compare_lenses import DisagreementJob, Rival
from core.jobs.lenses import ExampleRef, ExplainJob
from core.results.attribution import Attribution
from core.results.attribution_difference import difference
from core.results.disagreement import Disagreement
from dashboard.components.image_picker import image_picker
from dashboard.session import selection, state
from dashboard.session.moments import moments
from dashboard.text import _, counted
from dashboard.widgets.array_file import download_arrays
from dashboard.widgets.attribution import attribution
from dashboard.widgets.compare import pinned_subject
from dashboard.widgets.explain_question import Question
from dashboard.widgets.lens import look
from dashboard.widgets.other_models import Other, other_runs
from dashboard.widgets.split_choice import split_choice
from dashboard.widgets.subject import Subject
from dashboard.widgets.what_if import chosen_method

SPLITS: tuple[SplitName, ...] = ("validation", "test", "train")


def panel(subject: Subject, question: Question, *, key: str) -> None:
    """Choose the other model; then the examples on which the two part, and for one of them both explanations."""
    others = _others(subject)
    if not others:
        st.info(
            _("There is nothing to compare with yet: train, and two moments of the run can be compared; or train another run."),
            icon=":material/info:",
        )
        return
    with st.container(horizontal=True, vertical_alignment="bottom", key=f"{key}.choice"):
        place = st.selectbox(
            _("Compare step {step:,} with").format(step=subject.step),
            range(len(others)),
            index=len(others) // 2,
            key=f"{key}.other",
            format_func=lambda place: others[place].label if place < len(others) else "",
            width=360,
        )
        split = split_choice(_("Examples from"), SPLITS, key=f"{key}.split")
    other = others[min(place or 0, len(others) - 1)].subject
    rival = Rival(experiment=other.experiment, weights=other.weights, series=other.series)
    job = DisagreementJob(**(subject.asked() | {"example": ExampleRef()}), rival=rival, split=split)
    look(job, Disagreement, lambda found: _shown(found, subject, other, question, key), key=f"{key}.found")


def _others(subject: Subject) -> list[Other]:
    """The other moments of this run, what is pinned, and runs with the same data: those chosen on Runs, and those looked at."""
    record = state.run()
    found = []
    for one in moments(record) if record and record.id == subject.run else ():
        if one.step != subject.step:
            then = replace(subject, weights=one.ref, step=one.step)
            found.append(Other(_("step {step:,} of this run").format(step=one.step), then))
    pinned = pinned_subject()
    if pinned is not None and pinned.weights != subject.weights:
        found.append(Other(_("what is pinned (step {step:,})").format(step=pinned.step), pinned))
    return found + other_runs(subject)


def _shown(found: Disagreement, subject: Subject, other: Subject, question: Question, key: str) -> None:
    st.text(in_words(found))
    download_arrays(found, "disagreement.npz", key=f"{key}.download")
    if not len(found.indices):
        return
    place = _example(found, key)
    ref = ExampleRef(split=found.split, index=int(found.indices[place]))
    st.button(
        _("Look at this example on all screens"),
        key=f"{key}.take",
        on_click=selection.choose_example,
        args=(found.split, ref.index),
        icon=":material/center_focus_strong:",
    )
    st.text(example_words(found, place))
    target = question.target if question.target is not None or not found.class_names else int(found.first[place])
    contrast = None if question.contrast == target else question.contrast
    asked = Question(target, contrast, question.unit, question.baseline, question.seed)
    _explained(subject, other, ref, asked, key)


def in_words(found: Disagreement) -> str:
    """How often they part, and who is right more often."""
    score = _("R² {score:.3f}") if found.n_differ < 0 else _("{score:.1%} right")
    both = [
        _("step {step:,}: {score}").format(step=step, score=score.format(score=value))
        for step, value in ((found.first_step, found.first_score), (found.second_step, found.second_score))
    ]
    if found.n_differ < 0:
        words = _("The examples for which the two predictions lie furthest apart.")
    else:
        words = counted("The two models differ on {n} example", "The two models differ on {n} examples", found.n_differ)
        words += " " + _("of {n:,}.").format(n=found.n_examples)
        if found.n_differ > len(found.indices):
            words += " " + _("The {n} of which both are surest are shown.").format(n=len(found.indices))
    return f"{words} {both[0]}; {both[1]}."


def example_words(found: Disagreement, place: int) -> str:
    """What both say of one example, and what is right."""
    if found.targets is not None:
        return _("Present model: {first:.4g}. Other model: {second:.4g}. Right: {target:.4g}.").format(
            first=found.first[place], second=found.second[place], target=found.targets[place]
        )
    names = found.class_names
    return _("Present model: {first} ({p:.1%}). Other model: {second} ({q:.1%}). Right: {label}.").format(
        first=names[int(found.first[place])],
        p=found.first_p[place],
        second=names[int(found.second[place])],
        q=found.second_p[place],
        label=names[int(found.labels[place])],
    )


def _example(found: Disagreement, key: str) -> int:
    """The place of the chosen one among those that are shown."""
    kept = f"{key}.place"
    place = min(st.session_state.get(kept, 0), len(found.indices) - 1)
    names = [_short(found, one) for one in range(len(found.indices))]

    def pick(one: int) -> None:
        st.session_state[kept] = one

    if found.pixels is not None:
        image_picker(found.pixels, names, place, key=f"{key}.picker", label=_("Examples on which they differ"), on_pick=pick)
        return int(place)
    rows = [f"{found.texts[one]}: {name}" if found.texts else name for one, name in enumerate(names)]
    widget = f"{key}.row"
    st.session_state[widget] = place
    st.selectbox(
        _("Examples on which they differ"),
        range(len(rows)),
        key=widget,
        format_func=rows.__getitem__,
        on_change=lambda: pick(st.session_state[widget]),
    )
    return int(st.session_state[widget])


def _short(found: Disagreement, place: int) -> str:
    """ "7, not 1": what the present model says and what the other one says."""
    index = int(found.indices[place])
    if found.targets is not None:
        return _("number {i}: {first:.4g} against {second:.4g}").format(
            i=index, first=found.first[place], second=found.second[place]
        )
    names = found.class_names
    return _("{first} against {second}").format(first=names[int(found.first[place])], second=names[int(found.second[place])])


def _explained(subject: Subject, other: Subject, ref: ExampleRef, question: Question, key: str) -> None:
    """Both explanations of one class, and what the present one has more."""
    method = chosen_method(subject, key)
    if method is None:
        return
    mine, rival = (one.asked() | {"example": ref} for one in (subject, other))
    columns = st.columns(3, gap="small")
    kept: list[Attribution] = []
    sides = ((_("Other: step {step:,}"), other.step, rival), (_("Present: step {step:,}"), subject.step, mine))
    for column, (title, step, asked), name in zip(columns, sides, ("other", "present"), strict=False):
        with column:
            st.markdown(f"**{title.format(step=step)}**")
            job = ExplainJob(explainer=question.of(method), **asked, **question.asked())

            def show(found: Attribution, name: str = name) -> None:
                kept.append(found)
                attribution(found, key=f"{key}.{name}.{found.method}")

            look(job, Attribution, show, key=f"{key}.explained.{name}")
    if len(kept) == len(sides):
        with columns[2]:
            st.markdown(f"**{_('Present minus other')}**")
            apart = difference(kept[0], kept[1])
            attribution(apart, key=f"{key}.difference.{method.kind}", with_answer=False)
            st.caption(
                _("The answers lie {output:+.4g} {unit} apart.").format(
                    output=apart.output, unit=_(apart.output_unit or apart.unit)
                )
            )
