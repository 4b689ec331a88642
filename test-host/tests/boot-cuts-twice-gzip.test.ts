import { cutTwice } from "./boot-cuts-bench";

cutTwice(({ name }) => name.includes("gzip"));
