"""Models in Hugging Face's form: a folder with config.json, weights as safetensors and a tokenizer.

`folder`, `safetensors_header` and `architectures` import neither torch nor transformers: the server uses them.
"""
