"""Components that come with core: four symmetries, a local executor and a silent tracker."""
