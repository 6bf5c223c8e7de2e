"""What an optimizer does, in one card: its rule as a formula, what it remembers between steps, and who proposed it."""

import streamlit as st

from core.optim.optimizers import OptimizerChoice
from dashboard.components.fields import option_of, translated
from dashboard.text import _
from dashboard.widgets.failure import plain


def optimizer_card(optimizer: OptimizerChoice) -> None:
    """The card, without numbers: those are in the form beside it."""
    with st.container(border=True):
        st.text(translated(option_of(type(optimizer)).help))
        st.latex(optimizer.formula)
        remembered = ", ".join(translated(one) for one in optimizer.state) or _("nothing")
        st.text(_("Remembers of each weight, from step to step: {what}").format(what=remembered))
        if optimizer.source:
            st.caption(_("Source: {paper}").format(paper=plain(optimizer.source)))
