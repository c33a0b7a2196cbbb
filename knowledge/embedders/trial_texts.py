"""Texts that have nothing in common, to learn what cosine an embedder gives to such."""

#: Passages of four different worlds.
WRITTEN = (
    "Meals on business trips are refunded up to 55 euros a day when the receipts are handed in "
    "within a month.",
    "The fire alarm is tested on the first Wednesday of each month at noon. Stay at your desk.",
    "Every parent gets 18 weeks of paid leave, to be taken before the child is two years old.",
    "Laptops are replaced after three years. The old one goes back to the service desk.",
    "The choir rehearses on Thursdays in the canteen; nobody has to read notes.",
    "Invoices are paid on the 15th and the last day of a month, after two people have signed.",
)

#: Questions that none of them answers.
ASKED = (
    "How far is it from the earth to the moon?",
    "Which mushrooms may be eaten raw?",
    "When did the Vikings reach Iceland?",
    "How do I sharpen a chisel?",
    "What is the rhyme scheme of a sonnet?",
    "How long does a hard-boiled egg take at high altitude?",
)
