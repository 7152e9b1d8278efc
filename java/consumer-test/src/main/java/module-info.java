/** A user of JNova on the module path. */
module org.example.consumer {
    requires org.jnova;
}
