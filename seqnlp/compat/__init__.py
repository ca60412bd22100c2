"""What people bring along from other libraries; its modules load what they need when used."""
