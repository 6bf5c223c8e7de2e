"""Why did the model say that: attributions of one prediction, from the field's libraries, with what is needed to judge them."""
