"""The same SavedModel behind other servers, each as its documentation says it is done."""
