"""The encodings that come with Etude, as files, and the script that packs them."""
