"""What is put together on the pages' port."""
