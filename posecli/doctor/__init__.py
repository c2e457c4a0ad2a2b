"""What `posecli doctor` looks at: this installation and this machine, one file a topic, and a self test."""
