from hypothesis import settings

# A hop takes a hundredth of a second or ten, as the machine is busy: that says nothing of a law.
settings.register_profile("hopper", deadline=None, max_examples=25)
settings.load_profile("hopper")
