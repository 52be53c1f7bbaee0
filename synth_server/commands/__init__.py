"""What the commands of `synth-server` do, one file each; `synth_server.cli` lists them."""
